/*-------------------------------------------------------------------------
 *
 * shape_internal.h
 *	  What the lexer and the shapes share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MS_SHAPE_INTERNAL_H
#define MS_SHAPE_INTERNAL_H

#include "compat.h"
#include "port/pg_bswap.h"

MS_INSIDE_BEGIN

/*
 * The n letters at p, 1 .. 8, folded to lower case, the first one in the
 * highest byte, zeros behind the last.  Reads nothing from end on.
 */
static inline uint64
ms_fold_letters(const unsigned char *p, size_t n, const unsigned char *end)
{
	const uint64 every_byte = UINT64CONST(0x0101010101010101);
	uint64		v;
	uint64		low;
	uint64		upper;

	if (end - p >= 8)
	{
		memcpy(&v, p, 8);
		v = pg_hton64(v) & (~UINT64CONST(0) << (8 * (8 - n)));
	}
	else
	{
		v = 0;
		for (size_t i = 0; i < n; i++)
			v |= (uint64) p[i] << (8 * (7 - i));
	}

	/* in all bytes at once: bit 7 set from 'A' on, but not from '[' on */
	low = v & (every_byte * 0x7F);
	upper = (low + every_byte * (0x80 - 'A')) ^
		(low + every_byte * (0x80 - '['));
	upper &= ~v & (every_byte * 0x80);
	return v | (upper >> 2);
}

/* the same of a word that is known: zeros behind a shorter one */
#define MS_WORD(a, b, c, d, e, f, g, h) \
	(((uint64) (a) << 56) | ((uint64) (b) << 48) | ((uint64) (c) << 40) | \
	 ((uint64) (d) << 32) | ((uint64) (e) << 24) | ((uint64) (f) << 16) | \
	 ((uint64) (g) << 8) | (uint64) (h))

/* one step of the hashes of tokens and shapes */
static inline uint64
ms_hash_mix(uint64 h, uint64 v)
{
	h = (h ^ v) * UINT64CONST(0x9E3779B97F4A7C15);
	return h ^ (h >> 29);
}

MS_INSIDE_END

#endif							/* MS_SHAPE_INTERNAL_H */
