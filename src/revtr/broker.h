/* What an agent may say and hear, whoever carries the messages. Topics, with %u for its name; each list ends
 * with NULL. */
#ifndef RETOUR_REVTR_BROKER_H
#define RETOUR_REVTR_BROKER_H

extern const char *const agent_may_say[], *const agent_may_hear[];

/* What is for, and from, an agent that cannot be, for its name is none: who hears the one or says the other
 * could do so for any. The coordinator keeps something at the first; nobody listens to the second. */
#define BROKER_FOR_NOBODY  "retour/1/agent/~nobody/key"
#define BROKER_FROM_NOBODY "retour/1/agent/~nobody/answer"

#endif
