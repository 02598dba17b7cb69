"""Apply trained networks to images, videos and live streams."""
