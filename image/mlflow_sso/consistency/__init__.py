"""What ``fsck`` is made of.

missing   rows whose objects are gone
orphans   folders and objects that no row needs
"""
