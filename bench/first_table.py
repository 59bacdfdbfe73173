#!/usr/bin/python3
"""How long a screen takes to show something: from the start of the program to the output that has it.

  first_table.py TEXT COMMAND...     milliseconds on standard output, "never" after 5 s"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time


def main():
    text, command = sys.argv[1].encode(), sys.argv[2:]
    os.environ["TERM"] = "xterm-256color"
    start = time.monotonic()
    child, screen = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        os.execvp(command[0], command)
    seen, took = b"", None
    while took is None and time.monotonic() - start < 5:
        if select.select([screen], [], [], 0.1)[0]:
            try:
                seen += os.read(screen, 65536)
            except OSError:
                break
            if text in seen:
                took = time.monotonic() - start
    os.kill(child, signal.SIGTERM)
    os.close(screen)
    os.waitpid(child, 0)
    print("never" if took is None else f"{took * 1000:.1f}")


main()
