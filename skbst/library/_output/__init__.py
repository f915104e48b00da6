"""Where the parts of a library lie, and who wrote them."""

from skbst.library._output._csv import put_csv, refuse_foreign_csv
from skbst.library._output._folder import LibraryFolder, make_folder
from skbst.library._output._parts import run_parts

__all__ = ["LibraryFolder", "make_folder", "put_csv", "refuse_foreign_csv", "run_parts"]
