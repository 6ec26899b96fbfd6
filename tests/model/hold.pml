/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold.pml - MISSED while other writes of the same chunk run, and the copy after it (docs/protocol.md R3.6, R5.5).
 *
 * One chunk of NW blocks, write w goes to block w-1, all at once, in any order.  Member 0 is in U and applies everything.
 * Member 1 answers MISSED once at most; the view and the marks that follow are one step with the client's completion.  pool.pml has
 * the rest of the protocol, but one write in flight.
 *
 * Rules that can be taken away (-DN_x removes F_x): F_HOLD, F_HOLDALL.
 */
#ifndef NW
#define NW 3
#endif
#define WBIT(w) (1<<((w)-1))
byte d[2];			/* mask: blocks that hold the new data */
byte issued, way[2];		/* highest write; mask: writes on their way to the member */
byte ans, missed, done;		/* masks: answered by both; member 1 answered MISSED; known complete at the client */
byte s;				/* at member 1: all writes up to this one are complete */
byte list, ovl, hold;		/* member 1, masks: applied and not below s; overlay; to be complete before a copy */
bool lack, copying, nmiss;
byte got, buf;			/* copy: blocks read, new data among them */
hidden byte x;
hidden byte I4_equality, I9_liveness;	/* always 0: names in assertions */

#define IN(w,m) (((m)>>((w)-1))&1)
#define UPTO(w) ((1<<(w))-1)
#ifdef N_HOLD
#define HOLDS(w) 0
#else
#ifdef N_HOLDALL
#define HOLDS(w) WBIT(w)
#else
#define HOLDS(w) (WBIT(w)|list)
#endif
#endif

inline void_copy()
{
	copying=0; got=0; buf=0
}

#define WRITE(w) \
	:: d_step { w<=issued && IN(w,way[0]) -> way[0]=way[0]&~WBIT(w); d[0]=d[0]|WBIT(w); printf("EV 0 applies %d\n",w) } \
	:: d_step { w<=issued && IN(w,way[1]) -> way[1]=way[1]&~WBIT(w); d[1]=d[1]|WBIT(w); list=list|WBIT(w); \
		if :: lack -> ovl=ovl|WBIT(w) :: else fi; printf("EV 1 applies %d\n",w) } \
	:: d_step { w<=issued && IN(w,way[1]) && !nmiss -> nmiss=1; way[1]=way[1]&~WBIT(w); missed=missed|WBIT(w); lack=1; ovl=ovl&~WBIT(w); \
		hold=HOLDS(w); printf("EV 1 answers MISSED to %d, holds the chunk for %d\n",w,hold) } \
	:: d_step { w<=issued && !IN(w,done) && !IN(w,way[0]) && !IN(w,way[1]) -> done=done|WBIT(w); printf("EV %d is complete\n",w) } \
	:: d_step { copying && !IN(w,got) -> got=got|WBIT(w); buf=buf|(d[0]&WBIT(w)); printf("EV copy reads block of %d: %d\n",w,IN(w,d[0])) }

active proctype all()
{
	do
	:: d_step { issued<NW -> issued++; way[0]=way[0]|WBIT(issued); way[1]=way[1]|WBIT(issued); printf("EV write %d issued\n",issued) }
	WRITE(1) WRITE(2) WRITE(3)
	:: d_step { s<NW && (done&UPTO(s+1))==UPTO(s+1) -> s++; list=list&~UPTO(s); hold=hold&~UPTO(s); printf("EV 1 hears that all up to %d are complete\n",s) }
	:: d_step { lack && !copying && hold==0 -> copying=1; printf("EV 1 starts to copy\n") }
	:: d_step { copying && got==UPTO(NW) -> d[1]=(d[1]&ovl)|(buf&~ovl); lack=0; ovl=0; void_copy(); printf("EV copy done: %d\n",d[1]) }
	:: d_step { timeout && (lack || done!=UPTO(NW)) -> assert(I9_liveness) }
	:: d_step { timeout && !lack && d[0]!=d[1] -> printf("EV at rest 0 holds %d, 1 holds %d\n",d[0],d[1]); assert(I4_equality) }
	od
}
