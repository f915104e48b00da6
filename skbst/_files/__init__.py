"""Files and folders that are seen whole or not at all, locks, and what killed writers left."""

from skbst._files._atomic import remove_abandoned, write_atomically
from skbst._files._folders import bring_back, put_aside_name, put_in_place, scratch_folder
from skbst._files._locks import FileLock, locked

__all__ = [
    "FileLock",
    "bring_back",
    "locked",
    "put_aside_name",
    "put_in_place",
    "remove_abandoned",
    "scratch_folder",
    "write_atomically",
]
