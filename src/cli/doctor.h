/* `retour doctor`: what this machine can and cannot measure. */
#ifndef RETOUR_CLI_DOCTOR_H
#define RETOUR_CLI_DOCTOR_H

int cli_doctor(int argc, char **argv);

#endif
