"""Starts Huying: everything on this machine, or one part of an installation of several machines."""

import argparse
import os
import sys

import config
from app import parts


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__, epilog="Settings: docs/configuration.md")
    parser.add_argument(
        "part",
        nargs="?",
        choices=("web", "worker", "scheduler"),
        help="start this part only (default: all, with an embedded queue)",
    )
    parser.add_argument("--port", type=int, default=8080, help="port of the web server (default: 8080)")
    parser.add_argument("--data", metavar="DIR", help="data folder (default: the setting DATA_DIR)")
    parser.add_argument(
        "--empty", action="store_true", help="do not load the demonstration county into a new data folder"
    )
    return parser


def main() -> int:
    """Read the command line and start what it asks for; returns the exit status."""
    options = arguments().parse_args()
    if not 1 <= options.port <= 65535:
        arguments().error("--port must be between 1 and 65535")
    if options.data:
        os.environ["DATA_DIR"] = os.path.abspath(options.data)
    try:
        settings = config.load(os.environ)
    except (config.SettingError, OSError) as error:
        print(f"Cannot start: {error}", file=sys.stderr)
        return 1
    if options.part == "web":
        parts.run_web(settings, options.port)
    elif options.part == "worker":
        parts.run_worker()
    elif options.part == "scheduler":
        parts.run_scheduler()
    else:
        return parts.run_all(settings, options.port, empty=options.empty)
    return 0


if __name__ == "__main__":
    sys.exit(main())
