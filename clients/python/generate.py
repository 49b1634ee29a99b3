"""Generates src/audian_conference/v2 from the service's proto.

Usage: generate.py DIR, where DIR holds audian/conference/v2/participant_service.proto and
google/rpc/status.proto.

The modules of google/rpc are not generated: googleapis-common-protos contains them, and a
process can register each of these files only once.
"""

import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTO = "audian/conference/v2/participant_service.proto"
PACKAGE = Path(__file__).parent / "src" / "audian_conference" / "v2"
DOCSTRING = '"""The generated messages and stubs of audian.conference.v2."""\n'


def main() -> None:
    """Generates the package."""
    with tempfile.TemporaryDirectory() as out:
        includes = [f"-I{folder}" for folder in (sys.argv[1], files("grpc_tools") / "_proto")]
        outputs = [f"--{kind}_out={out}" for kind in ("python", "pyi", "grpc_python")]
        if protoc.main(["protoc", *includes, *outputs, PROTO]) != 0:
            sys.exit("protoc failed")
        PACKAGE.mkdir(exist_ok=True)
        (PACKAGE / "__init__.py").write_text(DOCSTRING)
        for file in (Path(out) / PROTO).parent.iterdir():
            # protoc imports modules by the path of their proto; the package has another path.
            text = file.read_text().replace(
                "from audian.conference.v2 ", "from audian_conference.v2 "
            )
            (PACKAGE / file.name).write_text(text)


if __name__ == "__main__":
    main()
