"""Explanations of predictions.

- `activations`: outputs of the layers of a network.
- `attribution`, `sanity_checks`: the pixels that support a class, and tests of such maps.
- `face_regions`, `background`: regions of the face, and what maps are drawn over.
- `ground_truth`, `localisation`: synthetic clips with known movement, and the share of a map inside it.
- `clips`: a clip, and the network that may explain it.
- `temporal`, `temporal_segments`, `temporal_windows`: one clip over time.
- `figures`, `activation_figures`, `attribution_figures`, `temporal_figure`: figures with their tables.
- `explanation_figure`: a figure, its table, and the files of both.
"""
