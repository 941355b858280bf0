"""What is done with hires, by topic: the story's steps, starting, steering, reading, paying."""
