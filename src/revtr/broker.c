#include "revtr/broker.h"

#include <stddef.h>

const char *const agent_may_say[] = {"retour/1/agent/%u/answer", "retour/1/agent/%u/status", NULL};
const char *const agent_may_hear[] = {
	"retour/1/agent/%u/task", "retour/1/agent/%u/key", "retour/1/coordinator/status", NULL};
