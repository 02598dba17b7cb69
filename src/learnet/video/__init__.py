"""Read frames with times from any video file, folder of images or camera."""
