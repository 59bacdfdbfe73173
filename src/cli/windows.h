/* `retour tracert` and `retour pathping`: the flags, layouts and exit statuses of the programs of Windows. */
#ifndef RETOUR_CLI_WINDOWS_H
#define RETOUR_CLI_WINDOWS_H

int cli_tracert(int argc, char **argv);
int cli_pathping(int argc, char **argv);

#endif
