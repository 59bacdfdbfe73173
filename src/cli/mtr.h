/* `retour mtr`: the flags, layouts and exit statuses of mtr 0.95. */
#ifndef RETOUR_CLI_MTR_H
#define RETOUR_CLI_MTR_H

int cli_mtr(int argc, char **argv);

#endif
