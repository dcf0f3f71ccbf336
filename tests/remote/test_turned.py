"""What is turned here: sent before it holds, set back when it is refused."""

import threading

import pytest

from opportunity.remote.problems import RemoteError
from opportunity.remote.turned import RemoteRules, RemoteWeights, Taking
from opportunity.scoring.presets import PRESETS
from opportunity.scoring.weights import Weights
from opportunity.strategy import ScanRules


class Server:
    def __init__(self):
        self.sent, self.refuses = [], False

    def __call__(self, changed):
        if self.refuses:
            raise RemoteError("no", 400)
        self.sent.append(changed)


def test_weights_have_the_names_of_the_local_ones():
    weights = RemoteWeights(Server())
    assert tuple(weights.as_dict()) == tuple(Weights().as_dict())
    weights.take(PRESETS["balanced"])
    assert str(weights) == repr(weights) == f"Remote{Weights()!r}"


def test_rules_have_the_names_of_the_local_ones():
    assert {n for n in RemoteRules(Server()).param} == {n for n in ScanRules().param}


def test_what_comes_is_taken_and_not_sent_back():
    server = Server()
    weights = RemoteWeights(server)
    weights.take(PRESETS["aggressive"])
    assert weights.as_dict() == PRESETS["aggressive"]
    assert server.sent == []


def test_what_is_set_is_sent():
    server = Server()
    weights = RemoteWeights(server)
    weights.smc = 0.4
    weights.update(sar=0.2, news=0.1)
    assert server.sent == [{"smc": 0.4}, {"sar": 0.2, "news": 0.1}]
    assert weights.total == pytest.approx(0.7)


def test_what_is_refused_is_set_back():
    server = Server()
    weights = RemoteWeights(server)
    weights.take(PRESETS["balanced"])
    server.refuses = True
    with pytest.raises(RemoteError):
        weights.update(smc=0.9, sar=0.1)
    assert weights.as_dict() == PRESETS["balanced"]
    assert server.sent == []


def test_wrong_values_are_refused_here():
    server = Server()
    weights, rules = RemoteWeights(server), RemoteRules(server)
    with pytest.raises(ValueError, match="must be at least"):
        weights.smc = -1
    with pytest.raises(ValueError, match="Did you mean 'smc'"):
        weights.update(smb=0.1)
    with pytest.raises(AttributeError, match="Did you mean 'sar'"):
        weights.sarr = 0.1
    with pytest.raises(ValueError, match="direction"):
        rules.direction = "UP"
    assert server.sent == []


def test_taking_counts_for_its_own_thread_only():
    taking, seen = Taking(), []
    with taking:
        other = threading.Thread(target=lambda: seen.append(taking.now))
        other.start()
        other.join()
        assert taking.now
    assert seen == [False]
    assert not taking.now
