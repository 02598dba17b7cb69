"""The movement model: how faces differ, how action units move them, and how that looks to a camera.

Modules in the order of their imports: geometry, units, movement, emotions (no images); people, portrait,
surfaces, faces, render (images); scenes (plan of a whole database); imitated_flow, apex_movement,
measured_flow (optical flow from onset to apex); outline (line drawings).
"""
