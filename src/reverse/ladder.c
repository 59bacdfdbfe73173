#include "reverse/ladder.h"

#include <string.h>

#include "base/compiler.h"
#include "reverse/atlas.h"
#include "reverse/globalping.h"
#include "reverse/inband.h"
#include "reverse/inferred.h"
#include "reverse/lg_method.h"
#include "reverse/record_route.h"
#include "reverse/responder.h"
#include "reverse/revtr.h"
#include "reverse/source_route.h"
#include "reverse/ssh.h"

static const struct reverse_method *const methods[] = {
	&responder_method,
	&inband_method,
	&ssh_method,
	&record_route_method,
	&source_route_method,
	&source_route_rh0_method,
	&source_route_lsrr_method,
	&revtr_method,
	&lg_method,
	&globalping_method,
	&atlas_method,
	&inferred_method,
};

const struct reverse_method *const *ladder_methods(size_t *count)
{
	*count = ARRAY_LEN(methods);
	return methods;
}

const struct reverse_method *ladder_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (strcmp(methods[i]->name, name) == 0)
			return methods[i];
	return NULL;
}

bool reverse_method_supports(const struct reverse_method *method, uint8_t family)
{
	return family == 4 ? method->ipv4 : method->ipv6;
}
