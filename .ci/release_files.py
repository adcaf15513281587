"""Makes and checks the files of a release. `.ci/release` calls it.

    release_files.py zip OUT BOOTSTRAP           the function's zip
    release_files.py tar OUT FOLDER FILE...      a tar.gz of files, all in the folder
    release_files.py template OUT ZIP ARCH       template.yaml, whose code is the zip
    release_files.py sbom OUT PACKAGE TIME TARGET...  the crates of a package's build, in CycloneDX
    release_files.py check-zip ZIP
    release_files.py check-static FILE           is it linked statically?
    release_files.py check-paths FILE PATH...    has it none of these paths?

The same input gives the same bytes: entries are sorted, and times are SOURCE_DATE_EPOCH.
"""

import datetime
import gzip
import io
import os
import pathlib
import re
import struct
import subprocess
import sys
import tarfile
import time
import tomllib
import uuid
import zipfile

EXECUTABLE, READABLE = 0o755, 0o644


def epoch():
    return int(os.environ["SOURCE_DATE_EPOCH"])


def make_zip(out, bootstrap):
    entry = zipfile.ZipInfo("bootstrap", time.gmtime(epoch())[:6])
    entry.create_system = 3  # Unix, so that the mode counts
    entry.external_attr = (0o100000 | EXECUTABLE) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(entry, pathlib.Path(bootstrap).read_bytes(), compresslevel=9)


def check_zip(path):
    with zipfile.ZipFile(path) as archive:
        entries = [(e.filename, e.external_attr >> 16, e.date_time) for e in archive.infolist()]
        wanted = [("bootstrap", 0o100000 | EXECUTABLE, tuple(time.gmtime(epoch())[:6]))]
        if entries != wanted:
            yield f"{path} has {entries}, not {wanted}"
        elif not archive.read("bootstrap").startswith(b"\x7fELF"):
            yield f"{path}: bootstrap is no program"


def make_tar(out, folder, *files):
    with open(out, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, epoch()) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for path in sorted(map(pathlib.Path, files), key=lambda path: path.name):
                content = path.read_bytes()
                entry = tarfile.TarInfo(f"{folder}/{path.name}")
                entry.size, entry.mtime = len(content), epoch()
                entry.mode = EXECUTABLE if content.startswith(b"\x7fELF") else READABLE
                archive.addfile(entry, io.BytesIO(content))


def make_template(out, code, architecture):
    """The text is edited and not made again, so that it keeps its comments."""
    text = pathlib.Path("template.yaml").read_text(encoding="utf-8")
    for pattern, new in (
        (r"(?m)(^ +# SAM runs `cargo lambda.*\n)(^ +#.*\n)*^ +BuildMethod: .*\n^ +BuildProperties: .*\n", ""),
        (r"(?m)^      CodeUri: \.$", f"      CodeUri: {pathlib.Path(code).name}"),
        (
            r"(?m)(^  Architecture:\n    Type: String\n)    Default: .*\n    AllowedValues: .*\n",
            rf"\g<1>    Default: {architecture}\n    AllowedValues: [{architecture}]\n",
        ),
    ):
        text, count = re.subn(pattern, new, text)
        if count != 1:
            sys.exit(f"template.yaml has {count} places for {pattern}, not one")
    pathlib.Path(out).write_text(text, encoding="utf-8")


def check_static(path):
    """An ELF file that needs neither an interpreter nor a library."""
    content = pathlib.Path(path).read_bytes()
    if content[:6] != b"\x7fELF\x02\x01":
        yield f"{path} is no 64-bit program"
        return
    (start,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    for header in range(start, start + size * count, size):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", content, header)
        if kind == 3:
            interpreter = content[offset : offset + length].rstrip(b"\0").decode()
            yield f"{path} is dynamic: it needs {interpreter}"
        if kind == 2:
            entries = [struct.unpack_from("<QQ", content, at) for at in range(offset, offset + length, 16)]
            libraries = sum(tag == 1 for tag, _ in entries)
            if libraries:
                yield f"{path} is dynamic: it needs {libraries} libraries"


def check_paths(path, *paths):
    content = pathlib.Path(path).read_bytes()
    for wrong in paths:
        if wrong.encode() + b"/" in content:
            yield f"{path} has the path {wrong} of this machine"


# --- The list of crates ----------------------------------------------------------------------------


def tree(package, targets, edges):
    """The crates of a package as (depth, name, version, license), parents before children."""
    command = ["cargo", "tree", "--locked", "-p", package, "-e", edges, "--prefix", "depth", "--format", "|{p}|{l}|"]
    for target in targets:
        output = subprocess.run([*command, "--target", target], check=True, capture_output=True, text=True).stdout
        for line in filter(None, output.splitlines()):
            depth, crate, license, _ = line.split("|")
            name, version = crate.split()[:2]
            yield int(depth), name, version.removeprefix("v"), license


def make_sbom(out, package, when, *targets):
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentScope, ComponentType
    from cyclonedx.model.license import LicenseExpression
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from packageurl import PackageURL

    locked = {(p["name"], p["version"]): p for p in tomllib.loads(pathlib.Path("Cargo.lock").read_text())["package"]}
    linked = {crate[1:3] for crate in tree(package, targets, "normal,no-proc-macro")}
    components, needs, path = {}, set(), []
    for depth, name, version, license in tree(package, targets, "normal,build"):
        key = (name, version)
        if key not in components:
            checksum = locked[key].get("checksum")
            components[key] = Component(
                name=name,
                version=version,
                type=ComponentType.APPLICATION if depth == 0 else ComponentType.LIBRARY,
                bom_ref=f"{name}@{version}",
                # What runs only while the package is built is not part of it.
                scope=ComponentScope.REQUIRED if key in linked else ComponentScope.EXCLUDED,
                purl=PackageURL("cargo", None, name, version),
                licenses=[LicenseExpression(re.sub(r"\s*/\s*", " OR ", license))] if license else [],
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=checksum)] if checksum else [],
            )
        path[depth:] = [key]
        if depth:
            needs.add((path[depth - 1], key))
    root, *others = components.values()
    root.scope = None
    bom = Bom(components=others, serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"{root.purl} {when}"))
    bom.metadata.component = root
    bom.metadata.timestamp = datetime.datetime.fromtimestamp(int(when), datetime.UTC)
    for key, component in components.items():
        bom.register_dependency(component, [components[child] for parent, child in sorted(needs) if parent == key])
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault:
        sys.exit(f"{out} is not as CycloneDX demands: {fault}")
    pathlib.Path(out).write_text(text + "\n", encoding="utf-8")
    print(f"{pathlib.Path(out).name}: {len(linked) - 1} crates, and {len(components) - len(linked)} that only build them")


COMMANDS = {
    "zip": make_zip,
    "tar": make_tar,
    "template": make_template,
    "sbom": make_sbom,
    "check-zip": check_zip,
    "check-static": check_static,
    "check-paths": check_paths,
}


def main(command, *arguments):
    faults = list(COMMANDS[command](*arguments) or ())
    print("\n".join(faults), end="\n" if faults else "", file=sys.stderr)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
