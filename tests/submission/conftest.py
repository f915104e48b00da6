from tests.datasets.conftest import rows, write_bsd  # noqa: F401
