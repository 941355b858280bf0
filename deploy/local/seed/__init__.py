"""`hireflow seed`: what it writes (texts), what it draws (drawing), how it carries that out."""
