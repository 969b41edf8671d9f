"""The package for pipx, uv and pip: it contains every file that the program reads, and it runs."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

import crm
from crm import program
from tests.conftest import PROJECT

pytestmark = pytest.mark.slow
_BUILT_FROM = ("pyproject.toml", "requirements.txt", "README.md", "package.json", "package-lock.json", "run.py")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """The wheel, built from a copy."""
    copy = tmp_path_factory.mktemp("checkout")
    shutil.copytree(PROJECT / "crm", copy / "crm", ignore=shutil.ignore_patterns("__pycache__"))
    for name in _BUILT_FROM:
        shutil.copy(PROJECT / name, copy)
    build = "import setuptools.build_meta as backend; backend.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=copy, check=True, capture_output=True)
    (built,) = (copy / "dist").glob("*.whl")
    return zipfile.Path(built)


@pytest.fixture(scope="module")
def installed(wheel: zipfile.Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of modules with what the wheel holds, far from the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    # The archive of a Path also names folders that it does not hold.
    with zipfile.ZipFile(str(wheel.root.filename)) as archive:
        archive.extractall(folder)
    return folder


def test_the_package_has_every_file_of_the_program_and_no_others(wheel: zipfile.Path) -> None:
    files = [name for name in wheel.root.namelist() if not name.endswith("/")]
    names = {name for name in files if ".dist-info/" not in name and ".data/" not in name}
    program_files = (
        path for path in (PROJECT / "crm").rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    assert names == {"run.py", *(str(file.relative_to(PROJECT)) for file in program_files)}
    brought = {name.partition(".data/")[2] for name in files if ".data/" in name}
    assert brought == {"data/share/crm/package.json", "data/share/crm/package-lock.json"}


def test_the_package_has_its_description_and_dependencies(wheel: zipfile.Path) -> None:
    about = f"crm-{crm.__version__}.dist-info"
    metadata = HeaderParser().parsestr(wheel.joinpath(about, "METADATA").read_text("utf-8"))
    assert (metadata["Name"], metadata["Version"]) == ("crm", crm.__version__)
    assert metadata["Requires-Python"] == ">=3.11"
    needed = [
        line for line in (PROJECT / "requirements.txt").read_text("utf-8").splitlines() if line[:1] not in ("", "#")
    ]
    assert metadata.get_all("Requires-Dist") == needed
    scripts = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert wheel.joinpath(about, "entry_points.txt").read_text("utf-8").split() == [
        "[console_scripts]",
        "crm",
        "=",
        scripts["crm"],
    ]


def _crm(installed: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The program as its console script starts it."""
    script = installed / "bin" / "crm"
    script.parent.mkdir(exist_ok=True)
    script.write_text("import sys\nfrom run import run\nsys.exit(run())\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")} | {
        "PYTHONPATH": str(installed),
        "PYTHONSAFEPATH": "1",
        "XDG_DATA_HOME": str(installed / "data"),
        "CRM_ADMIN_EMAIL": "anna@example.com",
    }
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(command, cwd=installed / "bin", env=environment, capture_output=True, text=True, check=False)


def test_the_installed_program_runs_under_its_own_name(installed: Path) -> None:
    assert _crm(installed, "--version").stdout == f"crm {crm.__version__}\n"
    assert _crm(installed, "clients", "--help").stdout.startswith("Usage: crm clients ")
    assert _crm(installed, "--json", "clients", "list").stdout == "[]\n"
    refused = _crm(installed, "web", "--port", "0")
    assert "Traceback" not in refused.stderr
    assert "npm ci --prefix" in refused.stderr
    assert "/share/crm` (Node.js" in refused.stderr


def test_a_checkout_uses_the_name_of_its_script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.argv", ["/somewhere/run.py"])
    # What is told can be pasted in its folder: "python" is not there, or has not what the program needs.
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setattr(program, "FOLDER", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    assert (program.name(), program.command("sign-in")) == ("run.py", ".venv/bin/python run.py sign-in")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert program.command("sign-in") == "python run.py sign-in"
    monkeypatch.setattr("sys.argv", ["/home/anna/.local/bin/crm"])
    assert (program.name(), program.command("sign-in")) == ("crm", "crm sign-in")
