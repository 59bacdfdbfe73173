#!/usr/bin/env python3
"""Standard input with every time and date masked, and nothing else. Widths stay: a time that is a column becomes
as many #. Percentages, counts, names, blanks and line ends are left alone."""
import re
import sys

TIMES = r'Last|Avg|Best|Wrst|StDev|Gmean|Jttr|Javg|Jmax|Jint'


def hide_width(match):
    return '#' * len(match.group(0))


def report_row(match):
    """All columns but the loss, which has a percent sign or is a whole hundred."""
    head, loss, rest = match.groups()
    return head + loss + re.sub(r' +\d+\.\d(?!\d)', hide_width, rest)


def csv_row(match):
    loss, *rest = match.group(2).split(',')
    rest = ['#' if re.fullmatch(r'\d+\.\d\d', field) else field for field in rest]
    return match.group(1) + ','.join([loss] + rest)


def main():
    text = sys.stdin.read()
    text = re.sub(r'\d+\.\d{3} ms', '# ms', text)  # traceroute
    text = re.sub(r'(?m)^Start: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}$', 'Start: #', text)
    text = re.sub(r'(?m)^( *\d+\.(?:\|--| AS).*?)( +\d+\.\d%| 100\.0)(.*)$', report_row, text)
    text = re.sub(r'(?m)^MTR\.0\.95,\d+,', 'MTR.0.95,#,', text)
    text = re.sub(r'(?m)^(MTR\.0\.95,#,OK,[^,]*,\d+,[^,]*,(?:AS[^,]*,)?)(.*)$', csv_row, text)
    text = re.sub(r'("(?:%s)": )\d+\.\d+' % TIMES, r'\1#', text)
    text = re.sub(r'(?<=<)(%s)>( *\d+\.\d)(?=<)' % TIMES, lambda m: m.group(1) + '>' + '#' * len(m.group(2)), text)
    text = re.sub(r'(?m)^p (\d+) \d+ ', r'p \1 # ', text)  # mtr --raw
    sys.stdout.write(text)


main()
