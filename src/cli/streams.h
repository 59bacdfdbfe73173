/* Standard streams that are closed when the program starts, or cannot take what was printed. */
#ifndef RETOUR_CLI_STREAMS_H
#define RETOUR_CLI_STREAMS_H

/* Put something in their place that fails when it is used, so that no socket takes their numbers and gets
 * what was meant for a person. To be called before anything is opened. */
void streams_guard(void);

/* The exit status of a command that would end with `status`: `if_lost`, said in the program's name, where all
 * was well but that its result could not be written. */
int streams_finish(const char *program, int status, int if_lost);

#endif
