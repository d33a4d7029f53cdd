"""`robustlit tensorboard`: the right folder, this machine only, a free port."""

import socket
from pathlib import Path

import pytest

from robustlit.cli import tensorboard
from robustlit.cli.main import main


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs" / "one"
    folder.mkdir(parents=True)
    (folder / "events.out.tfevents.1").touch()
    return tmp_path / "runs"


@pytest.fixture
def started(monkeypatch):
    """What would have been started."""
    calls = []
    monkeypatch.setattr(tensorboard.os, "execv", lambda program, arguments: calls.append(arguments))
    return calls


def test_serves_this_machine_only_and_keeps_every_picture(runs, started, capsys):
    assert main(["tensorboard", str(runs)]) == 0
    (arguments,) = started
    assert arguments[arguments.index("--host") + 1] == "127.0.0.1"
    assert "images=200" in arguments[arguments.index("--samples_per_plugin") + 1]
    assert f"http://127.0.0.1:{arguments[arguments.index('--port') + 1]}/" in capsys.readouterr().out


def test_takes_a_free_port_where_the_usual_one_is_taken(runs, started, monkeypatch, capsys):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        port = busy.getsockname()[1]
        monkeypatch.setattr(tensorboard, "DEFAULT_PORT", port)
        assert main(["tensorboard", str(runs)]) == 0
        assert started[0][started[0].index("--port") + 1] != str(port)
        assert main(["tensorboard", str(runs), "--port", str(port)]) == 2
    assert "expected a free port" in capsys.readouterr().err


def test_a_port_that_was_just_in_use_is_free(runs, started):
    with socket.create_server(("127.0.0.1", 0)) as server:  # closing the connection leaves it in TIME_WAIT
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            connection, _ = server.accept()
            connection.close()
            client.recv(1)
    assert main(["tensorboard", str(runs), "--port", str(port)]) == 0


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_cannot_be_is_one_line(port, runs, started, capsys):
    assert main(["tensorboard", str(runs), f"--port={port}"]) == 2
    assert capsys.readouterr().err == f"robustlit: expected a port from 1 to 65535, got {port}; try --port 6006\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "which does not exist"),
        ([str(Path(__file__).parent)], "expected TensorBoard events below"),
        (["--prot", "1"], "unrecognized arguments: --prot"),
    ],
)
def test_wrong_arguments_are_one_line(arguments, message, started, capsys):
    assert main(["tensorboard", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert started == []
