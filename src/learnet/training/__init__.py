"""Train networks: augmentation, training loop, checkpoints, initial and pretrained weights."""
