/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overlap.pml - several I/Os on one block at once, duplicates, read repair (docs/protocol.md R3.1, R3.3, R4.2, R4.4).
 *
 * One block, two legs in U, one client, MAXW writes whose requests reach the legs in any order.  LEGLOSS: one leg may be lost.
 * DUPS: one delayed second copy of a request.  REPAIR: one read fails on leg 0 and is repaired with the data of leg 1.
 *
 * Rules that can be taken away (-DN_x removes F_x): F_WSER, F_RSER, F_DUP, F_REPAIR.
 */
#ifndef MAXW
#define MAXW 3
#endif
#define REP (MAXW+1)			/* number of the repair write */
byte d[2], nver, maxread, acked;
bool pend[10], done[10], ans[5];	/* leg*5+write: on its way, applied; write: acknowledged */
byte inflight, ndup, lost=2;
byte repair, rdata;			/* 0 not yet, 1 data read, 2 written back, 3 finished */
hidden byte w;
hidden byte I1_durability, I3_no_time_travel, I4_equality;	/* always 0: names in assertions */

#define P(l,w) pend[(l)*5+(w)]
#define DN(l,w) done[(l)*5+(w)]
#ifdef N_WSER
#define MAYWRITE (inflight<2)
#else
#define MAYWRITE (inflight==0)
#endif
#ifdef N_RSER
#define MAYREAD 1
#else
#define MAYREAD (inflight==0)
#endif
#ifdef N_DUP		/* joins only what still runs */
#define KNOWN(l,w) 0
#else
#define KNOWN(l,w) DN(l,w)
#endif

#define LEG(l,w) \
	:: d_step { lost!=l && P(l,w) -> P(l,w)=0; \
		if :: !KNOWN(l,w) -> d[l]=(w==REP -> rdata : w); printf("EV leg %d applies %d: %d\n",l,w,d[l]) :: else -> printf("EV leg %d refuses duplicate of %d\n",l,w) fi; DN(l,w)=1 }
#define ACK(w) \
	:: d_step { w<=nver && !ans[w] && (DN(0,w) || lost==0) && (DN(1,w) || lost==1) -> ans[w]=1; inflight--; \
		if :: w>acked && inflight==0 -> acked=w :: else fi; printf("EV ack of %d\n",w) }
#define DUP(l,w) \
	:: d_step { ndup<1 && w<=nver && DN(l,w) && !P(l,w) -> ndup++; P(l,w)=1; printf("EV second copy of %d to leg %d\n",w,l) }
#define READ(l) \
	:: d_step { MAYREAD && lost!=l && d[l]<acked -> printf("EV read of %d = %d, acknowledged %d\n",l,d[l],acked); assert(I1_durability) } \
	:: d_step { MAYREAD && lost!=l && d[l]<maxread -> printf("EV read of %d = %d after %d\n",l,d[l],maxread); assert(I3_no_time_travel) } \
	:: d_step { MAYREAD && lost!=l && d[l]>maxread -> maxread=d[l]; printf("EV read of %d = %d\n",l,d[l]) }

active proctype all()
{
	do
	:: d_step { nver<MAXW && MAYWRITE -> nver++; inflight++; P(0,nver)=(lost!=0); P(1,nver)=(lost!=1); printf("EV write %d issued\n",nver) }
	LEG(0,1) LEG(0,2) LEG(0,3) LEG(1,1) LEG(1,2) LEG(1,3)
	ACK(1) ACK(2) ACK(3)
	READ(0) READ(1)
#ifdef DUPS
	DUP(0,1) DUP(0,2) DUP(1,1) DUP(1,2)
#endif
#ifdef LEGLOSS
	:: d_step { lost==2 -> lost=0; printf("EV leg 0 lost\n") }
	:: d_step { lost==2 -> lost=1; printf("EV leg 1 lost\n") }
#endif
#ifdef REPAIR
#ifdef N_REPAIR		/* the range is held only from the write back on */
	:: d_step { repair==0 && lost==2 && inflight==0 -> repair=1; rdata=d[1]; printf("EV read fails on leg 0, leg 1 gives %d\n",rdata) }
	:: d_step { repair==1 && lost==2 && MAYWRITE -> repair=2; inflight++; P(0,REP)=1; printf("EV repair of leg 0 with %d\n",rdata) }
#else
	:: d_step { repair==0 && lost==2 && inflight==0 -> repair=1; inflight++; rdata=d[1]; printf("EV read fails on leg 0, leg 1 gives %d\n",rdata) }
	:: d_step { repair==1 && lost==2 -> repair=2; P(0,REP)=1; printf("EV repair of leg 0 with %d\n",rdata) }
#endif
	LEG(0,REP)
	:: d_step { repair==2 && (DN(0,REP) || lost==0) -> repair=3; inflight--; printf("EV repair done\n") }
#endif
	:: d_step { inflight==0 && lost==2 && d[0]!=d[1] && !(P(0,1) || P(0,2) || P(0,3) || P(0,REP) || P(1,1) || P(1,2) || P(1,3)) -> assert(I4_equality) }
	od
}
