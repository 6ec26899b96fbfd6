/* SPDX-License-Identifier: Apache-2.0 */
/*
 * members.pml - members and their stores (docs/protocol.md section 9): who is in the slots, told and believed, with views, attach and
 * quorum of section 2, clients that live on after they were superseded, stores that are put in again after they were replaced.
 *
 * One register; values are version numbers.  Slots 0..NS-1 of which START are in use, U(view 0)=STARTU; store s<NS belongs into slot s,
 * the NEW stores behind them into slots HOME and HOME2; those of no slot in use are blank claims.  Any subset of stores answers at any
 * time, an old store and the new one of a slot both: a superset of what can happen.  Two client processes attach MAXE times together,
 * make MAXV views in each attachment, MAXT changes of slots and MAXW writes together.
 *
 * A slot in use may be wished away at any time, so its freeing needs no wish here; a wish changes nothing else.
 * The lease is in views.pml: only the client of the highest epoch is asked whether it reads old data.
 *
 * With SERIAL nobody lives on after it was superseded, which leaves room for longer histories.
 *
 * I9 here: with every store at hand that was not told that it is out, an attach has what it needs.
 */
#ifndef NS
#define NS 3
#endif
#ifndef NEW
#define NEW 1
#endif
#ifndef HOME
#define HOME 1
#endif
#ifndef HOME2
#define HOME2 0
#endif
#ifndef START
#define START 7
#endif
#ifndef STARTU
#define STARTU START
#endif
#ifndef MAXE
#define MAXE 2
#endif
#ifndef MAXV
#define MAXV 3
#endif
#ifndef MAXT
#define MAXT 2
#endif
#ifndef MAXW
#define MAXW 1
#endif
#define NST (NS+NEW)
#define B(m) (1<<(m))
#define IN(m,s) (((s)>>(m))&1)
#define CNT(s) (((s)&1)+(((s)>>1)&1)+(((s)>>2)&1)+(((s)>>3)&1))
#define SLOT(s) ((s)*((s)<NS)+HOME*((s)==NS)+HOME2*((s)>NS))
#define CLAIM(s) (2+IN(SLOT(s),START))		/* stores that the slot has seen: freed first, then claimed */
#define AT(s,k) ((s)*NS+(k))

/* persisted on each store: promised epoch, view (epoch*8 + number, U, Y), table (store+1 of each slot, stores it has seen), data */
byte ep[NST], v[NST], vu[NST], vy[NST], tt[NST*NS], tg[NST*NS], d[NST];
byte blank, out;		/* masks of stores: history given up or never there; told that it is no member */
byte nver, acked, attaches, topep, turns;
hidden byte x, y, z, s0;
hidden byte I1_durability, I9_stuck;	/* always 0: names in assertions */

mtype = { GONE, ASKING, TELLING, LIVE };

#define S(k) (ct[k]-1)
#define HAS(k) (ct[k]!=0 && IN(S(k),got))
#define OK(k) (ct[k]!=0 && IN(S(k),got) && ep[S(k)]==e)
#define ACT (U|Y)
#define EACH(p) (p(0) | (p(1)<<1) | (p(2)<<2))
#define USED(k) (ct[k]!=0)
#define VOTES(k) (ct[k]!=0 && IN(S(k),got) && ep[S(k)]==e && !IN(S(k),blank))	/* R9.6: answers, and its history counts */
#define VOTERS EACH(USED)
#define ANSWERING EACH(VOTES)
#ifdef QUORUM
#define MAJ(s,of) (CNT((s)&(of))*2 > CNT(of))
#define TELLS(k) 1
#else
#define MAJ(s,of) 1
#define TELLS(k) IN(k,ACT)
#endif
#ifdef N_TABLE
#define KNOWS(k) 1
#else
#define KNOWS(k) IN(k,know)
#endif
#ifdef N_ONEVOTER
#define COMPLETE 1
#define MAYFREE(k) 1
#define MAYTAKE(k) 1
#else
#define COMPLETE ((ACT&~know)==0 && MAJ(know,VOTERS))
#define MAYFREE(k) MAJ(ANSWERING,VOTERS&~B(k))
#define MAYTAKE(k) MAJ(ANSWERING&~B(k),VOTERS|B(k))
#endif
#ifdef N_TOLDLAST
#define TOLDLAST 1
#else
#define TOLDLAST COMPLETE
#endif
#define FULL (n>=MAXV)

inline reset()
{
	ph=GONE; e=0; n=0; U=0; Y=0; Ue=0; est=0; ans=0; wr=0; syn=0; got=0; know=0; rm=0; tv=0; tc=0; dm=0; settled=0;
	x=0; do :: x<NS -> ct[x]=0; cg[x]=0; x++ :: else -> break od; x=0
}
inline promise(s)	/* R9.9: who is in the slots is told by the highest view, of equal ones by the most changes */
{
	ep[s]=e; got=got|B(s); y=0;
	x=0; do :: x<NS -> y=y+tg[AT(s,x)]; x++ :: else -> break od;
	if
	:: !IN(s,blank) && v[s]!=0 && (v[s]>tv || (v[s]==tv && y>tc)) ->
		tv=v[s]; tc=y;
		x=0; do :: x<NS -> ct[x]=tt[AT(s,x)]; cg[x]=tg[AT(s,x)]; x++ :: else -> break od
	:: else
	fi;
	x=0; y=0;
	printf("EV c%d e%d: store %d promises, view %d U %d Y %d, table %d %d %d\n",id,e,s,v[s],vu[s],vy[s],tt[AT(s,0)],tt[AT(s,1)],tt[AT(s,2)])
}
inline impostors()	/* mutants: who counts as the store of a slot though the table says otherwise */
{
#ifdef M_IDENTITY
	s0=0;
	do :: s0<NST ->
		if :: IN(s0,got) && !IN(s0,blank) && ct[SLOT(s0)]!=0 && !HAS(SLOT(s0)) -> ct[SLOT(s0)]=s0+1 :: else fi;
		s0++
	:: else -> break od; s0=0
#else
#ifdef N_CLAIM
	s0=0;
	do :: s0<NST ->
		if :: IN(s0,got) && v[s0]==0 && CLAIM(s0)>cg[SLOT(s0)] -> ct[SLOT(s0)]=s0+1; cg[SLOT(s0)]=CLAIM(s0) :: else fi;
		s0++
	:: else -> break od; s0=0
#else
	skip
#endif
#endif
}
/* x: slots whose member promised and whose history counts; y: those that were told a view; z: store with the highest view */
inline judge()
{
	x=0; y=0; z=NST; s0=0;
	do :: s0<NS ->
		if
		:: HAS(s0) ->
			if :: !IN(S(s0),blank) -> x=x|B(s0);
				if :: z==NST -> z=S(s0) :: z!=NST && v[S(s0)]>v[z] -> z=S(s0) :: else fi
			:: else fi;
#ifdef N_STANDIN
			y=y|B(s0)
#else
			if :: v[S(s0)]!=0 -> y=y|B(s0) :: else fi
#endif
		:: else
		fi;
		s0++
	:: else -> break od;
	s0=0
}
#ifdef QUORUM
#define ENOUGH (z!=NST && MAJ(x,VOTERS) && (vu[z]&x)!=0)
#else
#define ENOUGH (z!=NST && (vu[z]&~y)==0 && (vu[z]&x)!=0)
#endif
inline decide()
{
	impostors(); judge();
	if
	:: ENOUGH ->
		U=vu[z]&x; Y=vy[z]&x; n=1; est=0; Ue=U; know=0; settled=0; ph=TELLING;
		printf("EV c%d decides: view %d.1 U %d Y %d, table %d %d %d\n",id,e,U,Y,ct[0],ct[1],ct[2])
	:: else ->
		if :: e==topep && (((1<<NST)-1)&~(got|out))==0 -> printf("EV c%d cannot attach: nobody is missing\n",id); assert(I9_stuck) :: else fi;
		reset()
	fi;
	x=0; y=0; z=0
}
inline tell_table(k)
{
	x=0; do :: x<NS -> tt[AT(S(k),x)]=ct[x]; tg[AT(S(k),x)]=cg[x]; x++ :: else -> break od; x=0;
	know=know|B(k); printf("EV c%d tells store %d the table %d %d %d\n",id,S(k),ct[0],ct[1],ct[2])
}
inline tell(k)
{
	v[S(k)]=e*8+n; vu[S(k)]=U; vy[S(k)]=Y; est=est|B(k);
	if :: IN(k,ACT) -> blank=blank&~B(S(k)) :: else fi;
	if :: (ACT&~est)==0 && MAJ(est,VOTERS) -> settled=1; Ue=U :: else fi;
	printf("EV c%d tells store %d view %d.%d U %d Y %d\n",id,S(k),e,n,U,Y)
}
inline new_view(u)
{
	s0=u; Y=ACT&~s0; U=s0; n++; est=0; settled=0; syn=syn&ACT; s0=0;
	printf("EV c%d view %d.%d U %d Y %d\n",id,e,n,U,Y)
}
inline eject(k)
{
	s0=U&Ue&~B(k); Y=ACT&~s0&~B(k); U=s0; got=got&~B(S(k)); know=know&~B(k); syn=syn&Y; n++; est=0; settled=0; s0=0;
	printf("EV c%d ejects %d: view %d.%d U %d Y %d\n",id,k,e,n,U,Y);
	if :: U==0 -> reset() :: else fi
}
inline leave(k)		/* the slot is freed; the store there is told later, if it is in reach */
{
	if :: HAS(k) -> rm=rm|B(S(k)) :: else fi;
	got=got&~B(S(k)); ct[k]=0; cg[k]=cg[k]+1; know=0; turns++; printf("EV c%d frees slot %d\n",id,k)
}
inline take(k,s)
{
#ifdef N_ONEVOTER	/* in one change, whoever was there */
	if :: ct[k]!=0 -> got=got&~B(S(k)) :: else fi;
#endif
	ct[k]=s+1; cg[k]=CLAIM(s); know=0; turns++; printf("EV c%d takes store %d into slot %d\n",id,s,k)
}
#ifdef N_ONEVOTER
#define EMPTY(k) (!IN(k,ACT))
#else
#define EMPTY(k) (ct[k]==0)
#endif
#define D(k) d[S(k)]
#define DIFFER ((IN(0,U) && IN(1,U) && D(0)!=D(1)) || (IN(0,U) && IN(2,U) && D(0)!=D(2)) || (IN(1,U) && IN(2,U) && D(1)!=D(2)))
#ifdef M_BLANK		/* a new store joins with its own list of what it lacks: nothing */
#define JOINS(k) if :: IN(S(k),blank) -> syn=syn|B(k) :: else -> syn=syn&~B(k) fi
#else
#define JOINS(k) syn=syn&~B(k)
#endif
#ifdef N_RETIRE
#define END(s) blank=blank|B(s)
#else
#define END(s) out=out|B(s)
#endif

#define STORE_STEPS(s) \
	:: d_step { ph==ASKING && !IN(s,got) && ep[s]<e && !IN(s,out) -> promise(s) } \
	:: d_step { ph==LIVE && IN(s,rm) && ep[s]==e && TOLDLAST -> rm=rm&~B(s); END(s); printf("EV c%d tells store %d that it is out\n",id,s) } \
	:: d_step { ph==LIVE && settled && COMPLETE && turns<MAXT && v[s]==0 && IN(s,blank) && EMPTY(SLOT(s)) && CLAIM(s)>cg[SLOT(s)] && \
		MAYTAKE(SLOT(s)) -> take(SLOT(s),s) }
#define SLOT_STEPS(k) \
	:: d_step { (ph==TELLING || ph==LIVE) && OK(k) && !IN(k,know) -> tell_table(k) } \
	:: d_step { (ph==TELLING || ph==LIVE) && OK(k) && KNOWS(k) && TELLS(k) && !settled && !IN(k,est) -> tell(k) } \
	:: d_step { ph==TELLING && settled && !dm && DIFFER && IN(k,U) -> dm=1; new_view(B(k)) } \
	:: d_step { ph==LIVE && wr!=0 && IN(k,ACT) && !IN(k,ans) && OK(k) -> D(k)=wr; ans=ans|B(k); printf("EV c%d write %d at %d\n",id,wr,S(k)) } \
	:: d_step { ph==LIVE && IN(k,ACT) && !FULL -> eject(k) } \
	:: d_step { ph==LIVE && ct[k]!=0 && !IN(S(k),got) && !IN(S(k),out) && ep[S(k)]<=e -> \
		ep[S(k)]=e; got=got|B(S(k)); know=know&~B(k); printf("EV c%d reaches %d, store %d\n",id,k,S(k)) } \
	:: d_step { ph==LIVE && wr==0 && settled && OK(k) && KNOWS(k) && !IN(k,ACT) && !FULL -> JOINS(k); Y=Y|B(k); new_view(U) } \
	:: d_step { ph==LIVE && IN(k,Y) && IN(k,syn) && settled && !FULL -> new_view(U|B(k)) } \
	:: d_step { ph==LIVE && settled && COMPLETE && turns<MAXT && ct[k]!=0 && !IN(k,ACT) && MAYFREE(k) -> leave(k) } \
	:: d_step { ph==LIVE && e==topep && wr==0 && IN(k,U) && IN(k,Ue) && OK(k) && D(k)<acked -> \
		printf("EV c%d reads %d = %d, acknowledged %d\n",id,S(k),D(k),acked); assert(I1_durability) }
#define SYNC_STEP(k,j) \
	:: d_step { ph==LIVE && wr==0 && settled && IN(k,Y) && !IN(k,syn) && IN(j,U) && OK(k) && OK(j) -> D(k)=D(j); syn=syn|B(k); \
		printf("EV c%d resync of %d\n",id,k) }

proctype client(bit id)
{
	mtype ph=GONE;
	byte e, n, U, Y, Ue, est, ans, wr, syn, got, know, rm, tv, tc;
	byte ct[NS], cg[NS];
	bool dm, settled;
	do
	:: d_step { ph==GONE && attaches<MAXE && (attaches>0 || id==0) -> attaches++; topep++; e=topep; ph=ASKING; printf("EV c%d attaches, epoch %d\n",id,e) }
	:: d_step { ph==ASKING && got!=0 -> decide() }
	:: d_step { ph==TELLING && settled && !DIFFER -> ph=LIVE; dm=0; printf("EV c%d live, view %d.%d U %d Y %d\n",id,e,n,U,Y) }
	:: d_step { ph==LIVE && wr==0 && nver<MAXW -> nver++; wr=nver; ans=0 }
	:: d_step { ph==LIVE && wr!=0 && settled && (ACT&~ans)==0 -> printf("EV c%d: ack of %d\n",id,wr); if :: wr>acked -> acked=wr :: else fi; wr=0; ans=0 }
	:: d_step { ph!=GONE && attaches<MAXE -> printf("EV c%d dies\n",id); reset() }
	STORE_STEPS(0)
	STORE_STEPS(1)
	STORE_STEPS(2)
#if NEW>0
	STORE_STEPS(3)
#endif
#if NEW>1
	STORE_STEPS(4)
#endif
	SLOT_STEPS(0)
	SLOT_STEPS(1)
	SLOT_STEPS(2)
	SYNC_STEP(0,1)
	SYNC_STEP(0,2)
	SYNC_STEP(1,0)
	SYNC_STEP(1,2)
	SYNC_STEP(2,0)
	SYNC_STEP(2,1)
	od
}

init {
	d_step {
		x=0;
		do :: x<NST ->
			y=0;
			do :: y<NS -> if :: IN(y,START) -> tt[AT(x,y)]=y+1; tg[AT(x,y)]=1 :: else fi; y++ :: else -> break od;
			if
			:: x<NS && IN(x,START) -> v[x]=1; vu[x]=STARTU; vy[x]=START&~STARTU
			:: else -> blank=blank|B(x); tt[AT(x,SLOT(x))]=x+1; tg[AT(x,SLOT(x))]=CLAIM(x)
			fi;
			x++
		:: else -> break od;
		x=0; y=0
	}
#ifdef SERIAL		/* a client attaches only after the one before has died */
	run client(0)
#else
	atomic { run client(0); run client(1) }
#endif
}
