/* `retour watch`: the way there again and again, and the way back with it. */
#ifndef RETOUR_CLI_WATCH_H
#define RETOUR_CLI_WATCH_H

int cli_watch(int argc, char **argv);

#endif
