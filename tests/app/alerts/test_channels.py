import logging
import subprocess
import sys

import pytest
from receiver import SECRET

from app.alerts.channels import open_channels, over_http_or_mail
from opportunity.config import SettingsError
from opportunity.config_lists import AlertChannel

LOCAL = {
    "amqp", "amqps", "aprs", "blink1", "dbus", "gio", "glib", "gnome", "growl", "irc", "ircs",
    "kde", "macosx", "mqtt", "mqtts", "qt", "rsyslog", "smpp", "smpps", "syslog", "windows", "xmpp",
    "xmpps",
}  # fmt: skip


def test_text_arrives_as_it_is(hook, channel):
    assert channel.send("<b>Title</b> & more", "line 1\nline 2 *x* #1a") == ""
    (message,) = hook.got
    assert message["title"] == "<b>Title</b> & more"
    assert message["message"] == "line 1\nline 2 *x* #1a"


@pytest.mark.parametrize(
    ("answer", "error"),
    [(500, "status 500"), (429, "status 429"), (404, "status 404"), ("die", "not reachable"),
     ("http://127.0.0.1:9/elsewhere", "status 302")],
)  # fmt: skip
def test_failures_have_kinds(hook, channel, answer, error):
    hook.answers.append(answer)
    assert channel.send("a", "b") == error
    assert channel.send("a", "b") == ""


def test_a_receiver_that_hangs_is_left(hook):
    address = hook.address + "?rto=0.2&cto=0.2"
    (channel,) = open_channels([AlertChannel("ops", address)], private=True)
    hook.answers.append("hang")
    assert channel.send("a", "b") == "not reachable"


def test_nobody_there(hook):
    address = f"json://127.0.0.1:1/{SECRET}"
    (channel,) = open_channels([AlertChannel("ops", address)], private=True)
    assert channel.send("a", "b") == "not reachable"


def test_redirects_are_not_followed_even_when_the_address_asks(hook):
    address = hook.address + "?redirect=yes"
    (channel,) = open_channels([AlertChannel("ops", address)], private=True)
    hook.answers.append(f"http://127.0.0.1:{hook.server_port}/other")
    assert channel.send("a", "b") == "status 302"
    assert hook.n_asked == 1


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "169.254.169.254", "box.local"]
)
def test_near_addresses_are_refused_at_the_start(host):
    wanted = [AlertChannel("ops", f"json://{host}/{SECRET}")]
    with pytest.raises(SettingsError, match="'ops' must have a public address") as caught:
        open_channels(wanted, private=False)
    assert SECRET not in str(caught.value)
    assert open_channels(wanted, private=True)


def test_a_name_that_leads_near_is_refused_when_it_is_dialled(hook, monkeypatch):
    import socket

    address = f"json://far.example.org:{hook.server_port}/x"
    (channel,) = open_channels([AlertChannel("ops", address)], private=False)
    real = socket.getaddrinfo

    def near(host, *args, **kwargs):
        return real("127.0.0.1" if host == "far.example.org" else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", near)
    assert channel.send("a", "b") == "address not public"
    assert hook.n_asked == 0


@pytest.mark.parametrize("address", [f"wrong://{SECRET}", f"tgram://{SECRET}", "json://", "x://"])
def test_what_apprise_does_not_understand_is_refused_by_name(address, caplog, capsys):
    with pytest.raises(SettingsError, match="'phone' must have an address that") as caught:
        open_channels([AlertChannel("phone", address)], private=True)
    assert SECRET not in str(caught.value) + caplog.text + str(capsys.readouterr())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of libraries of some plugins
def test_allowed_are_http_and_mail_only():
    from apprise.manager_plugins import NotificationManager

    refused, allowed = set(), set()
    for plugin in NotificationManager().plugins():
        for schemes in (plugin.protocol, plugin.secure_protocol):
            names = schemes if isinstance(schemes, list | tuple | set) else [schemes]
            (allowed if over_http_or_mail(plugin) else refused).update(n for n in names if n)
    assert refused == LOCAL
    assert {"tgram", "mailto", "mailtos", "json", "jsons", "form", "xml", "discord", "slack",
            "ntfy", "gotify", "matrix", "pover", "signal"} <= allowed  # fmt: skip


def test_a_service_of_this_machine_is_refused():
    with pytest.raises(SettingsError, match="must be sent over HTTP or as mail, was of the"):
        open_channels([AlertChannel("log", "syslog://")], private=True)


def test_no_secret_in_logs_names_or_errors(hook, channel, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    for answer in (200, 500, "die", "hang"):
        hook.answers.append(answer)
        (one,) = open_channels([AlertChannel("o", hook.address + "?rto=0.2")], private=True)
        one.send("a", "b")
    logging.getLogger("apprise").error("lost %s", SECRET)
    text = caplog.text + str(capsys.readouterr()) + repr(channel) + str(vars(channel)["name"])
    assert SECRET not in text
    assert SECRET not in repr(AlertChannel("o", hook.address))
    assert all(SECRET in path for path in hook.paths)


def test_a_broken_plugin_fails_the_message_only(channel, monkeypatch):
    def broken(**_):
        raise TypeError(f"bad {SECRET}")

    monkeypatch.setattr(channel._plugin, "notify", broken)
    assert channel.send("a", "b") == "not taken"


def test_apprise_is_imported_only_when_there_is_a_channel():
    code = (
        "import sys; from app.alerts.channels import open_channels; open_channels((), False); "
        "import app.server, app.cli; app.cli.build_parser(); assert 'apprise' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
