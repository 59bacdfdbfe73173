/* Places in the world where networks have routers, by the three letters that operators call them by. */
#ifndef RETOUR_SIM_PLACES_H
#define RETOUR_SIM_PLACES_H

enum region { EUROPE, NORTH_AMERICA, SOUTH_AMERICA, ASIA, AFRICA, OCEANIA, REGIONS };

struct place {
	const char *code, *country;
	enum region region;
	int latitude, longitude; /* tenths of a degree */
	unsigned weight;	 /* how many networks are there, relatively */
};
extern const struct place places[];
extern const unsigned place_count;

/* One way through a fibre between two places. */
unsigned places_fibre_us(unsigned from, unsigned to);

#endif
