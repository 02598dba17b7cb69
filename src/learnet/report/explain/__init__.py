"""Why a network answers as it does: what its layers respond to, where in the face it looks, and whether the movement is there.

The members: `stages` (answers of the layers), `where` (attribution), `sanity` (whether an attribution can be believed), `regions` (parts of
the face), `moving` (synthetic clips whose movement is known), `case` (a clip and the network that may explain it), `plates` and `panels`
(figures, each with its numbers).
"""
