#!/usr/bin/python3
"""The command line of a route server, for telnetd to run: its traceroute is this host's own.

lg_router.py STYLE with ios (asks for a name and a password, pages), junos, huawei (calls it tracert), mute (never
shows a prompt) or shut (nothing is allowed).
"""
import os
import subprocess
import sys
import termios
import tty

PROMPTS = {"ios": "route-server.lab>", "junos": "rviews@route-server.lab> ", "huawei": "<route-server>", "shut": "rs# "}
PAGERS = {"ios": "terminal length 0", "junos": "set cli screen-length 0", "huawei": "screen-length 0 temporary"}
TRACE = {"ios": "traceroute", "junos": "traceroute", "huawei": "tracert"}


def ask(text):
    sys.stdout.write(text)
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        sys.exit()
    return line.strip()


def trace(target):
    version = "-6" if ":" in target else "-4"
    return subprocess.run(["traceroute", version, "-q1", "-N32", "-w1", target], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False).stdout


def page(text):
    for number, line in enumerate(text.splitlines()):
        if number and number % 3 == 0:
            sys.stdout.write(" --More-- ")
            sys.stdout.flush()
            cooked = termios.tcgetattr(0)
            tty.setcbreak(0)
            while os.read(0, 1) != b" ":
                pass
            termios.tcsetattr(0, termios.TCSANOW, cooked)
            sys.stdout.write("\b" * 10 + " " * 10 + "\b" * 10)
        print(line)


style = sys.argv[1]
print("\n*** Welcome to the lab's route server ***\nPlease be kind -- there is no more than one of us.\n")
if style == "ios":
    while ask("Username: ") != "rviews" or ask("Password: ") != "s3cret word":
        print("% Login invalid\n")
if style == "mute":
    sys.stdin.read()
paging = True
while True:
    words = ask(PROMPTS[style])
    if not words:
        continue
    if words == PAGERS.get(style) and "--paging" not in sys.argv:
        paging = False
    elif words.startswith(TRACE.get(style, "never") + " ") and len(words.split()) == 2:
        (page if paging else print)(trace(words.split()[1]))
    elif words in ("exit", "quit"):
        sys.exit()
    else:
        print("                ^\n% Invalid input detected at '^' marker.\n" if style != "junos"
              else "              ^\nunknown command.")
