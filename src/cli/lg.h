/* `retour lg`: looking glasses: which are near a host, which are known, and one question to one of them. */
#ifndef RETOUR_CLI_LG_H
#define RETOUR_CLI_LG_H

int cli_lg(int argc, char **argv);

#endif
