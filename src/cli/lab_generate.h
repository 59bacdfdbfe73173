#ifndef RETOUR_CLI_LAB_GENERATE_H
#define RETOUR_CLI_LAB_GENERATE_H

/* retour lab generate: argv[0] is the word itself. */
int cli_lab_generate(int argc, char **argv);

#endif
