/* The measuring commands: `retour HOST`, `retour trace`, `retour back`. */
#ifndef RETOUR_CLI_PATH_H
#define RETOUR_CLI_PATH_H

int cli_both(int argc, char **argv);
int cli_trace(int argc, char **argv);
int cli_back(int argc, char **argv);

#endif
