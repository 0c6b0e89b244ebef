typedef unsigned u; typedef int i32; typedef long long i64; typedef unsigned long long u64;
static short g16[8]; static unsigned char g8[16]; static int total = 5;
static const short constant16[8] = {1, -2, 3, -4, 5, -6, 7, -8};
__attribute__((noinline)) static int many(int a,int b,int c,int d,int e,int f,int g,int h,int i,int j,int k){ return a+2*b+3*c+4*d-5*e+6*f-g*7+h*8+9*i+10*j-11*k; }
typedef int (*fn)(int,int);
__attribute__((noinline)) static int f1(int a,int b){return a*b;} __attribute__((noinline)) static int f2(int a,int b){return a-b;}
static fn table[2]={f1,f2};
__attribute__((noinline)) static int rec(int n){ volatile int x[4]; x[n&3]=n; return n<=0?1:rec(n-1)*3+x[n&3]; }
void run(const u*in,u*out){
 for(int i=0;i<64;i++){ u a=in[i], b=in[(i+1)&63]; u r=0;
  switch(i){
  case 0: r=a+b;break; case 1:r=a-b;break; case 2:r=a*b;break; case 3: r=(i32)a<(i32)b;break; case 4: r=a<b;break;
  case 5: r=a<<(b&31);break; case 6: r=a>>(b&31);break; case 7: r=(i32)a>>(b&31);break; case 8: r=(u)(((u64)a*b)>>32);break; case 9: r=(u)(((i64)(i32)a*(i32)b)>>32);break;
  case 10: r=b?a/b:0;break; case 11: r=b?a%b:0;break; case 12: r=(b&&b!=0xffffffff)?(i32)a/(i32)b:0;break; case 13: r=(b&&b!=0xffffffff)?(i32)a%(i32)b:0;break;
  case 14: r=(signed char)a;break; case 15: r=(short)a;break; case 16: r=(i32)a<(i32)b?a:b;break; case 17: r=(i32)a>(i32)b?a:b;break; case 18: r=a<b?a:b;break; case 19:r=a>b?a:b;break;
  case 20: r=a?__builtin_clz(a):77;break; case 21: r=a?__builtin_ctz(a):78;break; case 22: r=__builtin_popcount(a);break; case 23: r=__builtin_bswap32(a);break;
  case 24: r=a<<(b&31)|a>>((32-(b&31))&31);break; case 25: r=a>>(b&31)|a<<((32-(b&31))&31);break; case 26: r=a<<7|a>>25;break;
  case 27: r=~a&b;break; case 28: r=a|~b;break; case 29: r=~(a^b);break; case 30: r=a?b:7;break; case 31: r=a==b?3:b;break;
  case 32: g8[a&15]=(unsigned char)b; g8[(a+1)&15]=(unsigned char)(b>>8); r=g8[a&15]*3+g8[(a+1)&15];break;
  case 33: g16[a&7]=(short)b; r=g16[a&7]+constant16[(a+3)&7]; break;
  case 34: r=many(a,b,1,2,a,b,3,4,a,b,5);break; case 35: r=table[a&1](a,b);break; case 36: r=rec(a&7);break;
  case 37: {u64 x=((u64)a<<32|b), y=((u64)b<<32|a); r=(u)(x*y>>32)^(u)(x*y);break;} case 38: {u64 x=((u64)a<<32|b); u64 y=((u64)(b&0xffff)<<32|a)|1; r=(u)(x/y)^(u)(x%y);break;}
  case 39: {i64 x=(i64)((u64)a<<32|b); r=(u)(x>>(b&63));break;} case 40: {u64 x=((u64)a<<32|b); u64 y=x<<(b&63); r=(u)y^(u)(y>>32);break;} case 41: {u64 x=((u64)a<<32|b); u64 y=x>>(b&63); r=(u)y^(u)(y>>32);break;}
  case 42: total+=a; r=total; total-=a; break; case 43: r=(i32)a<0;break; case 44: r=(i32)a>=0;break; case 45: r=(i32)a>5;break; case 46: r=a>5u;break; case 47:r=(i32)a<=-100;break;
  case 48: { u t[20]; for(int k=0;k<20;k++)t[k]=a+k*b; r=t[a%20]^t[b%20];break;} case 49: { unsigned char t[70]; for(int k=0;k<70;k++)t[k]=a*k; r=t[b%70];break;}
  case 50: { u s=0; for(int k=0;k<(int)(b&15);k++){ if(k==7) continue; s+=in[k]; if(s>0xf0000000u) break;} r=s;break;}
  case 51: { i64 x=(i64)((u64)a<<32|b); i64 y=(i64)(i32)b; r= y&&y!=-1 ? (u)(x/y)^(u)(x%y):0;break;}
  case 52: { unsigned short t[40]; for(int k=0;k<40;k++)t[k]=(unsigned short)(a*k+b); u s=0; for(int k=0;k<40;k+=3)s+=t[k]; r=s;break; }
  case 53: { u d[30]; __builtin_memset(d,a&255,sizeof d); __builtin_memcpy(d+3,in,40); __builtin_memmove(d+1,d,60); r=d[b%30];break;}
  case 54: r=a/7;break; case 55: r=(i32)a/10;break; case 56: r=(i32)a%1000;break; case 57: r=a*12345u+(b>>3);break;
  default: r=a^(b*i); }
  out[i]=r; } }
