"""What any archive of files has to be before it is believed: names and limits; nothing of what is in it."""
