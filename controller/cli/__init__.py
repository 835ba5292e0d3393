"""The commands of `tidewatt`, one file each."""
