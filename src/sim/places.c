/* Places, roughly: what matters is that distances, and so delays, are like the real ones. */
#include "sim/places.h"

#include <stdint.h>

#include "base/compiler.h"

const struct place places[] = {
	{"fra", "DE", EUROPE, 501, 87, 60},
	{"ams", "NL", EUROPE, 524, 49, 55},
	{"lon", "GB", EUROPE, 515, -1, 55},
	{"par", "FR", EUROPE, 489, 24, 40},
	{"mad", "ES", EUROPE, 404, -37, 20},
	{"mil", "IT", EUROPE, 455, 92, 22},
	{"rom", "IT", EUROPE, 419, 125, 10},
	{"vie", "AT", EUROPE, 482, 164, 16},
	{"zrh", "CH", EUROPE, 474, 85, 16},
	{"gva", "CH", EUROPE, 462, 61, 6},
	{"ber", "DE", EUROPE, 525, 134, 16},
	{"muc", "DE", EUROPE, 481, 116, 14},
	{"ham", "DE", EUROPE, 536, 100, 10},
	{"dus", "DE", EUROPE, 512, 68, 10},
	{"bru", "BE", EUROPE, 509, 44, 10},
	{"sto", "SE", EUROPE, 593, 181, 20},
	{"cph", "DK", EUROPE, 557, 126, 12},
	{"osl", "NO", EUROPE, 599, 108, 10},
	{"hel", "FI", EUROPE, 602, 249, 10},
	{"waw", "PL", EUROPE, 522, 210, 20},
	{"prg", "CZ", EUROPE, 501, 144, 16},
	{"bud", "HU", EUROPE, 475, 190, 10},
	{"buh", "RO", EUROPE, 444, 261, 14},
	{"sof", "BG", EUROPE, 427, 233, 12},
	{"ath", "GR", EUROPE, 380, 237, 8},
	{"lis", "PT", EUROPE, 387, -91, 8},
	{"dub", "IE", EUROPE, 533, -63, 10},
	{"man", "GB", EUROPE, 535, -22, 10},
	{"iev", "UA", EUROPE, 505, 305, 16},
	{"ist", "TR", EUROPE, 410, 290, 12},
	{"mrs", "FR", EUROPE, 433, 54, 10},
	{"nyc", "US", NORTH_AMERICA, 407, -740, 50},
	{"iad", "US", NORTH_AMERICA, 390, -775, 55},
	{"chi", "US", NORTH_AMERICA, 419, -876, 40},
	{"dfw", "US", NORTH_AMERICA, 328, -968, 40},
	{"lax", "US", NORTH_AMERICA, 341, -1182, 40},
	{"sjc", "US", NORTH_AMERICA, 373, -1219, 45},
	{"sea", "US", NORTH_AMERICA, 476, -1223, 28},
	{"mia", "US", NORTH_AMERICA, 258, -802, 30},
	{"atl", "US", NORTH_AMERICA, 337, -844, 30},
	{"den", "US", NORTH_AMERICA, 397, -1050, 16},
	{"phx", "US", NORTH_AMERICA, 334, -1121, 14},
	{"bos", "US", NORTH_AMERICA, 424, -711, 14},
	{"msp", "US", NORTH_AMERICA, 450, -933, 10},
	{"hou", "US", NORTH_AMERICA, 298, -954, 12},
	{"slc", "US", NORTH_AMERICA, 408, -1119, 8},
	{"yyz", "CA", NORTH_AMERICA, 437, -794, 22},
	{"ymq", "CA", NORTH_AMERICA, 455, -736, 12},
	{"yvr", "CA", NORTH_AMERICA, 493, -1231, 10},
	{"mex", "MX", NORTH_AMERICA, 194, -991, 10},
	{"sao", "BR", SOUTH_AMERICA, -236, -466, 50},
	{"rio", "BR", SOUTH_AMERICA, -229, -432, 22},
	{"for", "BR", SOUTH_AMERICA, -37, -385, 14},
	{"poa", "BR", SOUTH_AMERICA, -300, -512, 12},
	{"eze", "AR", SOUTH_AMERICA, -346, -584, 16},
	{"scl", "CL", SOUTH_AMERICA, -334, -707, 10},
	{"bog", "CO", SOUTH_AMERICA, 47, -741, 10},
	{"lim", "PE", SOUTH_AMERICA, -120, -770, 6},
	{"sin", "SG", ASIA, 14, 1038, 45},
	{"hkg", "HK", ASIA, 223, 1142, 40},
	{"tyo", "JP", ASIA, 357, 1397, 40},
	{"osa", "JP", ASIA, 347, 1355, 14},
	{"sel", "KR", ASIA, 376, 1270, 16},
	{"tpe", "TW", ASIA, 250, 1215, 12},
	{"bom", "IN", ASIA, 191, 729, 30},
	{"del", "IN", ASIA, 286, 772, 18},
	{"maa", "IN", ASIA, 131, 803, 14},
	{"cgk", "ID", ASIA, -62, 1068, 26},
	{"kul", "MY", ASIA, 31, 1017, 8},
	{"bkk", "TH", ASIA, 138, 1005, 10},
	{"mnl", "PH", ASIA, 146, 1210, 8},
	{"dxb", "AE", ASIA, 253, 553, 10},
	{"tlv", "IL", ASIA, 321, 348, 8},
	{"jnb", "ZA", AFRICA, -262, 280, 20},
	{"cpt", "ZA", AFRICA, -339, 184, 8},
	{"nbo", "KE", AFRICA, -13, 368, 10},
	{"los", "NG", AFRICA, 65, 34, 10},
	{"cai", "EG", AFRICA, 300, 312, 6},
	{"syd", "AU", OCEANIA, -339, 1512, 24},
	{"mel", "AU", OCEANIA, -378, 1450, 12},
	{"per", "AU", OCEANIA, -320, 1159, 6},
	{"akl", "NZ", OCEANIA, -368, 1748, 10},
};
const unsigned place_count = ARRAY_LEN(places);

#define EARTH_KM  6371
#define UNIT	  10000 /* of sine and cosine */
#define HALF_TURN 1800	/* tenths of a degree */
/* Light in glass does 200 km a millisecond, and no cable is straight: half as long again. */
#define FIBRE_US_TENTHS_PER_KM 75

/* Bhaskara's rational sine, true to 0.2 %: ten kilometres here. */
static int64_t sine(int angle)
{
	int64_t sign = 1;
	while (angle < 0)
		angle += 2 * HALF_TURN;
	angle %= 2 * HALF_TURN;
	if (angle >= HALF_TURN) {
		sign = -1;
		angle -= HALF_TURN;
	}
	int64_t product = (int64_t)angle * (HALF_TURN - angle);
	return sign * UNIT * 4 * product / (4050000 - product);
}

static int64_t cosine(int angle)
{
	return sine(angle + HALF_TURN / 2);
}

static uint64_t square_root(uint64_t value)
{
	uint64_t root = 0;
	for (uint64_t bit = 1ULL << 31; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= value)
			root += bit;
	return root;
}

unsigned places_fibre_us(unsigned from, unsigned to)
{
	int64_t at[2][3], sum = 0;
	const unsigned ends[] = {from, to};
	for (unsigned i = 0; i < 2; i++) {
		const struct place *p = &places[ends[i]];
		at[i][0] = EARTH_KM * cosine(p->latitude) * cosine(p->longitude) / UNIT / UNIT;
		at[i][1] = EARTH_KM * cosine(p->latitude) * sine(p->longitude) / UNIT / UNIT;
		at[i][2] = EARTH_KM * sine(p->latitude) / UNIT;
	}
	for (unsigned k = 0; k < 3; k++)
		sum += (at[0][k] - at[1][k]) * (at[0][k] - at[1][k]);
	/* From the chord to the arc: c (1 + c^2 / 24 R^2). */
	uint64_t chord = square_root((uint64_t)sum);
	uint64_t arc = chord + chord * chord * chord / (24ULL * EARTH_KM * EARTH_KM);
	return (unsigned)(arc * FIBRE_US_TENTHS_PER_KM / 10);
}
