/* What an agent may say and hear, whoever carries the messages. Topics, with %u for its name; each list ends
 * with NULL. */
#ifndef RETOUR_REVTR_BROKER_H
#define RETOUR_REVTR_BROKER_H

extern const char *const agent_may_say[], *const agent_may_hear[];

#endif
