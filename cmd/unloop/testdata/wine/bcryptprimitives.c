/* A stand-in for the one function of bcryptprimitives.dll that a Go program asks for at its
   start, for a Wine that lacks it. Tests alone use it. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length); /* RtlGenRandom */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length)
{
	const ULONG piece = 0x10000;

	for (; length > piece; data += piece, length -= piece)
		if (!SystemFunction036(data, piece))
			return FALSE;
	return SystemFunction036(data, (ULONG)length) != 0;
}
