"""Weather: things between the camera and the scene."""
