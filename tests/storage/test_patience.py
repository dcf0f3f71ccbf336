import socket
import threading

import psycopg
import pytest

from opportunity.storage.patience import PatientConnection, options


def test_answers_in_time_are_given(postgres_url: str) -> None:
    with PatientConnection.connect(postgres_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        big = connection.execute("SELECT repeat('x', 1000) FROM generate_series(1, 5000)")
        assert len(big.fetchall()) == 5_000


def test_a_server_that_says_nothing_is_left(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = PatientConnection.connect(postgres_url)
    connection.answer_s = 0.5
    with pytest.raises(psycopg.OperationalError, match=r"answer within 0\.5 s"):
        connection.execute("SELECT pg_sleep(60)")
    assert connection.closed


def test_the_time_is_that_of_one_statement(postgres_url: str) -> None:
    with PatientConnection.connect(postgres_url) as connection:
        connection.answer_s = 0.6
        for _ in range(4):
            connection.execute("SELECT pg_sleep(0.2)")


def test_somebody_who_only_listens_is_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        taken: list[socket.socket] = []
        thread = threading.Thread(target=lambda: taken.append(listener.accept()[0]))
        thread.start()
        with pytest.raises(psycopg.OperationalError):
            PatientConnection.connect(f"postgresql://me@127.0.0.1:{port}/x", connect_timeout=2)
        thread.join()
        taken[0].close()


def test_options_are_in_milliseconds() -> None:
    assert options(5.0, 3.0) == (
        "-c statement_timeout=5000 -c lock_timeout=3000 "
        "-c idle_in_transaction_session_timeout=60000"
    )
    assert options(0, 0).count("=0") == 3
