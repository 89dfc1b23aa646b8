"""`meterwright keys import`: a maker's list of keys becomes a file for each meter.

========  ==================================================================
command   the command: options in, exit code out
table     the CSV, row by row, within bounds
columns   which column is which key, by the headers makers use
urls      an address from a template and a row
files     a meter's file from a row, and the folder it goes into
report    what is told, to people and to programs; never a value
========  ==================================================================
"""
