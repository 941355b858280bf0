"""The hire workflow: what it is called, what it says, and the activities it is made of."""
