#ifndef RETOUR_CLI_LAB_H
#define RETOUR_CLI_LAB_H

/* `retour lab ...`: the virtual Internet. Returns the exit status. */
int cli_lab(int argc, char **argv);

#endif
