"""The movement model: how faces differ, how action units move them, and how that looks to a camera.

Its files build on one another in this order: geometry, units, movement, emotions (no pictures yet); portrait, faces, render (pictures);
script (who shows what when, in a whole database).
"""
