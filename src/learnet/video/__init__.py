"""Read any video file, folder of images or camera as frames with times."""
