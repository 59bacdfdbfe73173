#include <stdio.h>

int main(void)
{
	puts("retour " RETOUR_VERSION);
	return 0;
}
