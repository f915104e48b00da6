"""Command lines of the examples in the gallery."""


def reset_argv(gallery_conf, script_vars):
    """Give every example the command line ``--fast`` where it has one."""
    source = script_vars["src_file"]
    with open(source, encoding="utf-8") as file:
        return ["--fast"] if '"--fast"' in file.read() else []
