"""The command line. Django loads only for the commands that need it, so that `--help` answers at once.

Exit codes: 0 done; 1 the answer is no (a check failed, a record is broken); 2 the command or its input is
wrong; 3 refused because of what is already there; 4 the database does not answer; 130 interrupted.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gandan import __version__
from gandan.config.exits import INTERRUPTED, OK, WRONG, CommandError


def main(arguments: Sequence[str] | None = None) -> int:
    parser = build_parser()
    options = parser.parse_args(arguments)
    if getattr(options, "handler", None) is None:
        parser.print_help()
        return WRONG
    if getattr(options, "home", None):
        os.environ["GANDAN_HOME"] = str(options.home)
    try:
        return int(options.handler(options) or OK)
    except CommandError as error:
        print(f"gandan: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("gandan: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away, as `head` does: not a fault.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gandan",
        description="Gần Dân: commune-level policing as an accountable public service.",
        epilog=(
            "Exit codes: 0 done, 1 the answer is no, 2 wrong command or input, 3 refused, "
            "4 the database does not answer, 130 interrupted."
        ),
    )
    parser.add_argument("--version", action="version", version=f"gandan {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, text: str, handler: Callable[[argparse.Namespace], int | None]) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument(
            "--home", type=Path, metavar="DIR", help="folder of the installation (default: GANDAN_HOME or ./var)"
        )
        sub.set_defaults(handler=handler)
        return sub

    init = command("init", "start a real installation: official units, calendar, terms, procedures", _init)
    init.add_argument("--province", metavar="CODE", help="official code of the province, for example 12 for Lai Châu")
    init.add_argument("--all", action="store_true", help="load the units of the whole country")
    init.add_argument("--admin", metavar="USERNAME", help="user name of the first administrator (asked if absent)")
    init.add_argument("--oversight", metavar="USERNAME", help="user name of the first oversight inspector")

    demo = command("demo", "fill an empty installation with the invented province Mường Sương", _demo)
    demo.add_argument("--scale", choices=["small", "province", "nation"], default="small")
    demo.add_argument("--seed", type=int, default=99, help="the same seed gives the same province (default 99)")
    demo.add_argument("--quiet", action="store_true", help="no progress bar")

    serve = command("serve", "serve the pages", _serve)
    serve.add_argument("--port", type=int, default=8000)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--workers", type=int, default=1)
    serve.add_argument("--threads", type=int, default=4, help="requests served at once by a worker")
    serve.add_argument(
        "--demo", action="store_true", help="open the chairs of the demo without passwords (loopback only)"
    )
    serve.add_argument("--today", metavar="DATE", help="fix the day, for demonstrations")

    work = command("work", "do what is due: reminders, escalations, scheduled reorganisations, clearing drafts", _work)
    work.add_argument("--once", action="store_true", help="one round, then stop")
    work.add_argument("--every", type=int, default=30, metavar="SECONDS")

    check = command("check", "check settings, database rules, replayed obligations and the audit chain", _check)
    check.add_argument("--reindex", action="store_true", help="index the words of all matters anew before")
    check.add_argument("--settings", action="store_true", help="print every setting with its meaning, and stop")

    units = command("units", "official units through time: show, history, restate", _units)
    from gandan.units import commandline

    commandline.add_arguments(units)

    backup = command("backup", "write a verified copy of the database and the files", _backup)
    backup.add_argument("file", help="the archive to write; must not exist yet. Or: keygen KEYFILE, to make a key")
    backup.add_argument("key_file", nargs="?", type=Path, help=argparse.SUPPRESS)
    backup.add_argument(
        "--recipient",
        action="append",
        default=os.environ.get("GANDAN_BACKUP_RECIPIENTS", "").split(),
        metavar="AGE",
        help="public key to encrypt to (age1...), again for each further key (default: GANDAN_BACKUP_RECIPIENTS)",
    )
    backup.add_argument("--unencrypted", action="store_true", help="write it open: for invented data only")

    restore = command("restore", "put a backup into an empty installation, after verifying it", _restore)
    restore.add_argument("file", type=Path)
    restore.add_argument("--verify", action="store_true", help="restore into a scratch place only, and verify")
    restore.add_argument("--identity", type=Path, metavar="FILE", help="the secret key that opens the backup")
    restore.add_argument(
        "--without-missing-files", action="store_true", help="restore also when files that the database names are gone"
    )

    move = command("move", "copy the whole database to the other engine, and verify it there", _move)
    move.add_argument("to", metavar="TARGET", help="postgresql://user@host/name, or the path of a new SQLite file")

    audit = command("audit", "the append-only record", _audit)
    from gandan.audit import commandline as auditing

    auditing.add_arguments(audit)

    keys = command("keys", "the keys that names and confided words are sealed with", _keys)
    from gandan.secrecy import commandline as secrecy

    secrecy.add_arguments(keys)

    retention = command("retention", "forget what is past its legal period, as `gandan work` does", _retention)
    retention.add_argument("--dry-run", action="store_true", help="only say what would be forgotten")
    return parser


def start_django() -> None:
    """Load Django for a command, turning a wrong setting into a sentence."""
    from gandan.config.environment import SettingError

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gandan.config.settings")
    import django

    try:
        django.setup()
    except SettingError as error:
        raise CommandError(str(error)) from None


def start_installed(*, sealed: bool = False) -> None:
    """Load Django for a command that needs an installation and its keys, with `sealed` those of the matters too; say
    in a sentence what is not there."""
    start_django()
    from gandan.config import installation

    installation.required()
    installation.keys_required(sealed=sealed)


def _init(options: argparse.Namespace) -> int:
    if not options.province and not options.all:
        raise CommandError("say which province with --province CODE (12 is Lai Châu), or --all for the country")
    start_django()
    from gandan.config import installation

    return installation.init(options)


def _demo(options: argparse.Namespace) -> int:
    os.environ.setdefault("GANDAN_DEMO", "1")
    start_django()
    from gandan.config import installation

    return installation.demo(options)


def _serve(options: argparse.Namespace) -> int:
    if options.demo:
        os.environ["GANDAN_DEMO"] = "1"
    if options.today:
        os.environ["GANDAN_TODAY"] = options.today
    if not os.environ.get("GANDAN_URL"):
        host = "127.0.0.1" if options.host in {"127.0.0.1", "localhost"} else options.host
        os.environ["GANDAN_URL"] = f"http://{host}:{options.port}"
    start_django()
    from gandan.config import serving

    return serving.serve(options)


def _work(options: argparse.Namespace) -> int:
    start_installed(sealed=True)
    from gandan.config import working

    return working.work(options)


def _check(options: argparse.Namespace) -> int:
    if options.settings:
        from gandan.config import environment

        for name, default, meaning in environment.table():
            print(f"{name:14} {default:24} {meaning}")
        return OK
    start_installed(sealed=True)
    from gandan.config import installation

    return installation.check(options)


def _units(options: argparse.Namespace) -> int:
    from gandan.units import commandline

    return commandline.run(options)


def _backup(options: argparse.Namespace) -> int:
    start_django()
    from gandan.config import backup

    if options.file == "keygen":
        if options.key_file is None:
            raise CommandError("say where to write the secret key: gandan backup keygen FILE")
        return backup.keygen(options.key_file)
    if options.key_file is not None:
        raise CommandError("gandan backup writes one file at a time")
    return backup.write(Path(options.file), options.recipient, open_to_all=options.unencrypted)


def _restore(options: argparse.Namespace) -> int:
    start_django()
    from gandan.config import backup

    return backup.restore(
        options.file,
        identity=options.identity,
        verify_only=options.verify,
        without_missing=options.without_missing_files,
    )


def _move(options: argparse.Namespace) -> int:
    start_installed()
    from gandan.config import move

    return move.move(options.to)


def _keys(options: argparse.Namespace) -> int:
    # Keys are put back before the database is: recovering needs none.
    (start_django if options.do == "recover" else start_installed)()
    from gandan.secrecy import commandline

    return commandline.run(options)


def _retention(options: argparse.Namespace) -> int:
    start_installed()
    from gandan.secrecy import commandline

    return commandline.retention(dry_run=options.dry_run)


def _audit(options: argparse.Namespace) -> int:
    start_installed()
    from gandan.audit import commandline

    return commandline.run(options)


if __name__ == "__main__":
    sys.exit(main())
